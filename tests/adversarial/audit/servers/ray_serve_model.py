"""An endpoint of Ray Serve that takes pictures, as a user would write it."""

import time

import ray
from network import labelled, port
from ray import serve


@serve.deployment(ray_actor_options={"num_cpus": 0})
class Signs:
    async def __call__(self, request):
        return labelled(await request.body())


ray.init("local", num_cpus=1, include_dashboard=False, log_to_driver=False, object_store_memory=100_000_000)
serve.start(http_options={"host": "127.0.0.1", "port": port})
serve.run(Signs.bind(), route_prefix="/classify")
while True:
    time.sleep(60)

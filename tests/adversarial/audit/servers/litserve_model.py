"""An endpoint of LitServe that takes a picture in JSON, as a user would write it. It runs in the environment of LitServe."""

import base64

import litserve
from network import labelled, port


class Signs(litserve.LitAPI):
    def setup(self, device):
        pass

    def decode_request(self, request):
        return base64.b64decode(request["image"])

    def predict(self, picture):
        return labelled(picture)

    def encode_response(self, output):
        return output


if __name__ == "__main__":
    litserve.LitServer(Signs(), accelerator="cpu").run(host="127.0.0.1", port=port, generate_client_file=False)

"""The ground floor: what every package needs and none of it knows saliency. It imports nothing from the floors above."""

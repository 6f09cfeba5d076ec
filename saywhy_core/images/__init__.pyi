from .sets import Images as Images
from .sets import ImageSet as ImageSet
from .sets import list_images as list_images
from .sets import read_image as read_image

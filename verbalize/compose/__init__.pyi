from .menu import MenuItem as MenuItem
from .menu import menu_of as menu_of
from .plan import Chosen as Chosen
from .plan import Plan as Plan
from .plan import PlanGroup as PlanGroup
from .plan import chosen_of as chosen_of
from .realise import Composed as Composed
from .realise import realised as realised

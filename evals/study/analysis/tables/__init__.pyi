from .estimating import Found as Found

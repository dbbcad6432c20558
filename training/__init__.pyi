from .load import load_data as load_data
from .recipe import ImageRecipe as ImageRecipe
from .recipe import Recipe as Recipe
from .recipe import TextRecipe as TextRecipe
from .run import evaluate as evaluate
from .run import train as train
from .text.generate_run import generate as generate
from .tuning.api import search as search

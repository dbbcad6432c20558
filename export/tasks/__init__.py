"""What a model's outputs mean: the figure by which a file is compared with its model on labelled items.

`TASKS` has one row per meaning; to add one, write a `Task` and its functions and list it there.
"""

from keras_vit.export.tasks.task import PHOTO_TASKS, TASKS, Task, tasks_that_fit

__all__ = ["PHOTO_TASKS", "TASKS", "Task", "tasks_that_fit"]

"""The report of a run: pictures and one page that shows them."""

from keras_vit.training.report.write import write_report

__all__ = ["write_report"]

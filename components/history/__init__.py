"""The History: every run there ever was, found by its words, labelled, deleted and brought back."""

from components.history.history import history
from components.history.run_label import label_editor

__all__ = ["history", "label_editor"]

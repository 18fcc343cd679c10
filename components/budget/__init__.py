"""What may be spent: the meter of a run, what was foreseen of it, and the budget of the day."""

from components.budget.day import day_budget
from components.budget.meter import budget_meter

__all__ = ["budget_meter", "day_budget"]

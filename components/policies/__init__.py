"""How a run behaves under fire, chosen before it starts: waiting, deadlines, retries, money."""

from components.policies.area import policies_area, policies_line
from components.policies.edits import forget_policies, load_policies, with_policies

__all__ = ["forget_policies", "load_policies", "policies_area", "policies_line", "with_policies"]

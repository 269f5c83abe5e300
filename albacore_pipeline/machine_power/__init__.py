"""From a debt whose chain is complete to a machine that stands still, and back: nothing else switches machines."""

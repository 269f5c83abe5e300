"""The sites' energy interfaces and power controls, each in a module of its own."""

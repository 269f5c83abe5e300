"""Machine-days x assignments x tariffs -> billing records, and what a later load or correction changes."""

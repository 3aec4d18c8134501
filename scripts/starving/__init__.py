"""What ``scripts/starve.py`` takes away from the program, a module for each thing."""

"""The assistant for access managers: see README.md for the rooms of the house."""

"""What access management is: the rules of the field, and the acts that change the register."""

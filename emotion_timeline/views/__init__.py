"""What pages and exports read: one definition of every number that people see."""

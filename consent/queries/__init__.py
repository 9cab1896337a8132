"""What can be asked. Reading only; the number of database queries does not grow with the data."""

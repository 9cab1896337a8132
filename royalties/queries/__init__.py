"""What can be asked about money. Reading only; the number of queries is constant."""

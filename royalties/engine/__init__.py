"""Between the records and the pure allocation: brings facts, and writes what came of them."""

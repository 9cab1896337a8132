"""What templates of every page may use; `{% load liner %}` brings all of it."""

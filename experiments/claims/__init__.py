"""The claims, by family; two modules each: what is measured, and how it is judged and drawn."""

"""Work that ends in a table: benchmarks, Imagenette, the recipe's parts, publishing."""

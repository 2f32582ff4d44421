"""An answer as plain values, for page, endpoints and examples; knows no Gradio."""

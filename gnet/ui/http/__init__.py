"""What the page's server answers beside Gradio: uploads, downloads, headers."""

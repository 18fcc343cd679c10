"""Functions that draw. Streamlit lives here and in pages/, nowhere else."""

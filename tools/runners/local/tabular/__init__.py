"""Tasks on tables: scikit-learn's estimators, and forecasts."""

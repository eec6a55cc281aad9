"""What every resource needs: problems, headers, parameters, the API's description."""

"""The collection's sample: fetched, recorded in a manifest, accepted; with the standard library."""

"""Singer tap for AWS IoT SiteWise."""

"""The way of a built site to where it is read: an S3-compatible bucket, GitHub Pages, or a folder.

target      what a target can do
opening     how a text such as `s3://bucket/prefix` becomes one
plan        which steps lead from what a target holds to what the site is, and in which order. Pure
run         `publish` and `take_back`: the same steps at every target
s3          any S3-compatible endpoint. The only place that knows boto3
git         GitHub Pages: one orphan commit, forced
folder      for nginx or a USB stick
"""

namespace TokenFactory.Inference.Limits.Local;

/// <summary>A bucket's identity within its tenant; the limit is not part of it, because it may change.</summary>
internal readonly record struct BucketKey(string Subject, Dimension Dimension)
{
    public static BucketKey Of(in Bucket bucket) => new(bucket.Subject, bucket.Dimension);
}

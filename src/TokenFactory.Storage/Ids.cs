namespace TokenFactory.Storage;

/// <summary>The one place ids come from: UUIDv7 (RFC 9562), so that rows written together lie together.</summary>
public static class Ids
{
#pragma warning disable RS0030 // this is the one place
    public static Guid New(TimeProvider clock) => Guid.CreateVersion7(clock.GetUtcNow());
#pragma warning restore RS0030
}

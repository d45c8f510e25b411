namespace TokenFactory.Storage.Iam;

/// <summary>Tells that another process changed the IAM rows. It saves the time until the next look; nothing may depend on it.</summary>
public sealed class IamChanges
{
    public event Action? Happened;

    internal void Raise() => Happened?.Invoke();
}

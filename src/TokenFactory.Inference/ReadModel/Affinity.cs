namespace TokenFactory.Inference.ReadModel;

/// <summary>What a deployment's requests are kept together by, among its endpoints.</summary>
public enum Affinity
{
    /// <summary>Nothing: the less loaded endpoint is asked.</summary>
    None = 0,

    /// <summary>The prompt's beginning, which the engine that had it last may still have in its cache.</summary>
    Prefix = 1,
}

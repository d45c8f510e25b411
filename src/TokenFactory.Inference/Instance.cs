namespace TokenFactory.Inference;

/// <summary>This process: the id its admissions carry, so that another can settle what it left open.</summary>
public sealed record Instance(Guid Id);

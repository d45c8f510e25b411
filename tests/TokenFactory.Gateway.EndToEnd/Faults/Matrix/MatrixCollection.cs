using Xunit;

namespace TokenFactory.Gateway.EndToEnd.Faults.Matrix;

/// <summary>All faults of the matrix, one after the other, on one site.</summary>
[CollectionDefinition(Name)]
public sealed class MatrixCollection : ICollectionFixture<MatrixSite>
{
    public const string Name = "fault matrix";
}

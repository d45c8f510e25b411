using TokenFactory.Administration.Configuration;
using TokenFactory.Inference.ReadModel.Keys;

namespace TokenFactory.Administration.Iam;

/// <summary>
/// The peppers of a configuration, or the data directory's own. The file is read once: were it lost while the process
/// runs, making another would refuse every key there is.
/// </summary>
internal sealed class PepperRing(string dataDirectory)
{
    private readonly Lazy<Pepper> _file = new(() => PepperFile.LoadOrCreate(dataDirectory));

    public IReadOnlyList<Pepper> Of(GatewayConfiguration configuration) =>
        configuration.Iam.Peppers.Count > 0 ? configuration.Iam.Peppers : [_file.Value];
}

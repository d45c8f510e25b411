using System.Collections.Frozen;
using TokenFactory.Inference.ReadModel.Routes;

namespace TokenFactory.Inference.ReadModel;

/// <summary>The deployments there are and the models that can be asked for, by whom. Immutable.</summary>
public sealed class Registry
{
    private readonly TenantModels _shared;
    private readonly FrozenDictionary<string, TenantModels> _owners;

    public Registry(IEnumerable<Deployment> deployments, IEnumerable<ModelRoute> routes)
    {
        Deployments = deployments.ToFrozenDictionary(d => d.Name, StringComparer.Ordinal);
        var all = routes.ToArray();
        _shared = new TenantModels(all.Select(route => route.SeenBy(tenant: null)).OfType<ModelRoute>(), shared: null);
        _owners = all
            .SelectMany(route => route.Owners.Select(owner => (Owner: owner, Route: route)))
            .GroupBy(one => one.Owner, one => one.Route, StringComparer.Ordinal)
            .ToFrozenDictionary(own => own.Key, own => new TenantModels(own.Select(route => route.SeenBy(own.Key)).OfType<ModelRoute>(), _shared), StringComparer.Ordinal);
    }

    public static Registry Empty { get; } = new([], []);

    public FrozenDictionary<string, Deployment> Deployments { get; }

    /// <summary>What the tenant can ask for. There is no other way to a model's route.</summary>
    public TenantModels ModelsOf(Tenant tenant) => _owners.GetValueOrDefault(tenant.Name, _shared);
}

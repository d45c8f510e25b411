using System.Collections.Frozen;
using System.Security.Cryptography;
using System.Text;
using BenchmarkDotNet.Attributes;
using Microsoft.AspNetCore.Http;
using TokenFactory.Inference.Access;
using TokenFactory.Inference.ReadModel;
using TokenFactory.Inference.ReadModel.Keys;
using TokenFactory.Inference.ReadModel.Routes;

namespace TokenFactory.Benchmarks;

/// <summary>The key of one request verified against a read model of many keys.</summary>
[MemoryDiagnoser]
public class AccessBenchmarks
{
    [Params(10_000, 1_000_000)]
    public int Keys { get; set; }

    private readonly HeaderDictionary _headers = [];
    private Authenticator _authenticator = null!;
    private Snapshot _snapshot = null!;

    [GlobalSetup]
    public void Prepare()
    {
        var pepper = new Pepper("v1", RandomNumberGenerator.GetBytes(32));
        var tenant = new Tenant("t");
        var project = new Project("p", null, ModelAllowList.All, LimitSet.None);
        var texts = Enumerable.Range(0, Keys).Select(_ => RandomNumberGenerator.GetHexString(64)).ToArray();
        _snapshot = new Snapshot
        {
            Version = 1,
            Revision = "bench",
            Registry = Registry.Empty,
            Tenants = FrozenDictionary<string, Tenant>.Empty,
            Peppers = [pepper],
            Keys = KeyTable.Of(texts.Select(text => KeyValuePair.Create(
                pepper.Digest(Encoding.UTF8.GetBytes(text)),
                new KeySecret(
                    new ApiKey
                    {
                        Id = text[..8],
                        Name = "k",
                        Tenant = tenant,
                        Project = project,
                        Scopes = FrozenSet.Create(Scopes.Chat),
                        Models = ModelAllowList.All,
                        Limits = LimitSet.None,
                    },
                    null)))),
        };
        var store = new SnapshotStore(TimeProvider.System, TimeSpan.FromDays(1));
        store.Publish(_snapshot);
        _authenticator = new Authenticator(store, TimeProvider.System);
        _headers["Authorization"] = "Bearer " + texts[Keys / 2];
    }

    [Benchmark]
    public object Verify() => _authenticator.Authenticate(_headers, _snapshot).Key!;
}

using System.Collections.Frozen;
using FsCheck;
using FsCheck.Fluent;
using TokenFactory.Inference.ReadModel;
using TokenFactory.Inference.ReadModel.Keys;
using TokenFactory.Inference.ReadModel.Routes;
using Xunit;

namespace TokenFactory.Inference.Tests.ReadModel;

public sealed class KeyTableTests
{
    [Fact]
    public void After_any_changes_a_table_holds_what_a_dictionary_would_and_every_older_table_what_it_held()
    {
        // Few digests, so that they meet: in the same shard, with the same first part, and as the same digest.
        var digests = (from a in Gen.Choose(0, 3) from b in Gen.Choose(0, 3) from d in Gen.Choose(0, 3) select new KeyDigest((ulong)a << 51, (ulong)b, 0, (ulong)d)).ToArbitrary();
        var changes = (from digest in digests.Generator from kind in Gen.Choose(0, 9) select (digest, kind)).ListOf().ToArbitrary();

        Prop.ForAll(changes, steps =>
        {
            var model = new Dictionary<KeyDigest, KeySecret>();
            var tables = new List<(KeyTable Table, Dictionary<KeyDigest, KeySecret> Held)>();
            var builder = KeyTable.Empty.Change();
            foreach (var (digest, kind) in steps)
            {
                switch (kind)
                {
                    case < 6:
                        builder.Set(digest, model[digest] = Secret());
                        break;
                    case < 8:
                        builder.Remove(digest);
                        model.Remove(digest);
                        break;
                    default:
                        tables.Add((builder.Build(), new Dictionary<KeyDigest, KeySecret>(model)));
                        builder = kind == 8 ? builder : tables[^1].Table.Change();
                        break;
                }
            }

            tables.Add((builder.Build(), model));
            return tables.TrueForAll(pair => Holds(pair.Table, pair.Held)) && KeyTable.Empty.Count == 0;
        }).QuickCheckThrowOnFailure();

        bool Holds(KeyTable table, Dictionary<KeyDigest, KeySecret> held) =>
            table.Count == held.Count
            && table.Secrets.ToHashSet().SetEquals(held.Values)
            && (from a in Enumerable.Range(0, 4) from b in Enumerable.Range(0, 4) from d in Enumerable.Range(0, 4) select new KeyDigest((ulong)a << 51, (ulong)b, 0, (ulong)d))
                .All(digest => ReferenceEquals(table.Find(digest), held.GetValueOrDefault(digest)));
    }

    [Fact]
    public void A_lookup_allocates_nothing()
    {
        var digest = new KeyDigest(1, 2, 3, 4);
        var table = KeyTable.Of([KeyValuePair.Create(digest, Secret())]);
        var found = table.Find(digest);
        var before = GC.GetAllocatedBytesForCurrentThread();

        found = table.Find(digest);

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
        Assert.NotNull(found);
    }

    private static KeySecret Secret() => new(
        new ApiKey
        {
            Id = "k",
            Name = "k",
            Tenant = new Tenant("t"),
            Project = new Project("p", null, ModelAllowList.All, LimitSet.None),
            Scopes = FrozenSet<string>.Empty,
            Models = ModelAllowList.All,
            Limits = LimitSet.None,
        },
        null);
}

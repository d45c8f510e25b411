using TokenFactory.Inference.Dispatch.Replicas;
using Xunit;

namespace TokenFactory.Inference.Tests.Dispatch.Replicas;

public sealed class RendezvousTests
{
    private const int Keys = 10_000;

    private static readonly string[] _replicas = [.. Enumerable.Range(1, 5).Select(number => $"http://10.0.0.{number}:8000/v1")];

    [Fact]
    public void Who_knows_the_same_replicas_agrees_in_whatever_order_and_each_has_its_share()
    {
        var mine = Owners(_replicas);
        var theirs = Owners([.. _replicas.Reverse()]);

        Assert.Equal(mine, theirs);
        Assert.All(mine.CountBy(static owner => owner), one => Assert.InRange(one.Value, Keys / 5 * 0.9, Keys / 5 * 1.1));
    }

    [Fact]
    public void A_replica_that_goes_takes_only_its_own_keys_with_it_and_they_spread()
    {
        var before = Owners(_replicas);
        var after = Owners(_replicas[..4]);

        Assert.All(before.Zip(after).Where(both => both.First != _replicas[4]), both => Assert.Equal(both.First, both.Second));
        var moved = before.Zip(after).Where(both => both.First == _replicas[4]).CountBy(static both => both.Second).ToList();
        Assert.Equal(4, moved.Count);
        Assert.All(moved, one => Assert.InRange(one.Value, Keys / 20 * 0.8, Keys / 20 * 1.2));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(10)]
    [InlineData(100)]
    [InlineData(1000)]
    public void A_hot_prefix_gives_no_replica_more_than_its_bound(int requests)
    {
        var loads = new double[5];
        for (var request = 1; request <= requests; request++)
        {
            loads[Rendezvous.Pick(42, Numbers(_replicas), loads)]++;
            Assert.All(loads, load => Assert.True(load <= Math.Max(Rendezvous.Floor, Math.Ceiling(Rendezvous.Factor * request / 5)), string.Join(' ', loads)));
        }

        Assert.Equal(requests, loads.Sum());
        Assert.Equal(Math.Min(requests, Math.Max(Rendezvous.Floor, Math.Ceiling(Rendezvous.Factor * requests / 5))), loads.Max());
    }

    [Fact]
    public void What_is_above_the_bound_goes_to_the_keys_next_replica_and_not_to_any()
    {
        var first = Rendezvous.Pick(42, Numbers(_replicas), new double[5]);
        var loads = new double[5];
        loads[first] = 50;
        var next = Rendezvous.Pick(42, Numbers(_replicas), loads);

        var without = _replicas.Where((_, index) => index != first).ToArray();
        Assert.Equal(without[Rendezvous.Pick(42, Numbers(without), new double[4])], _replicas[next]);
    }

    private static string[] Owners(string[] replicas)
    {
        var numbers = Numbers(replicas);
        return [.. Enumerable.Range(0, Keys).Select(key => replicas[Rendezvous.Pick(Rendezvous.NumberOf("key" + key), numbers, new double[replicas.Length])])];
    }

    private static ulong[] Numbers(string[] replicas) => [.. replicas.Select(Rendezvous.NumberOf)];
}

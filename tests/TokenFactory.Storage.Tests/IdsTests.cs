using Xunit;

namespace TokenFactory.Storage.Tests;

/// <summary>RFC 9562, version 7.</summary>
public sealed class IdsTests
{
    [Fact]
    public async Task An_id_is_a_version_7_of_its_millisecond_and_no_two_are_the_same_on_any_thread()
    {
        var clock = new ShiftedClock(TimeSpan.FromDays(-400));
        var before = clock.GetUtcNow();
        var made = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Factory.StartNew(
            () => Enumerable.Range(0, 1000).Select(_ => Ids.New(clock)).ToArray(),
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default)));
        var after = clock.GetUtcNow();
        var ids = made.SelectMany(static of => of).ToList();

        Assert.Equal(8000, ids.Distinct().Count());
        Assert.All(ids, id =>
        {
            Assert.Equal((7, true), (id.Version, id.Variant is >= 8 and <= 11));
            Assert.InRange(id, Ids.LowestAt(before), Ids.LowestAt(after.AddMilliseconds(1)));
        });

        // Every bit that is not the time's or the form's is drawn.
        var bytes = ids.Select(static id => id.ToByteArray(bigEndian: true)).ToList();
        var fixedBits = Enumerable.Range(6, 10).Select(place => (byte)~(bytes.Aggregate(0, (any, id) => any | (id[place] ^ bytes[0][place])) & 0xff)).ToArray();
        Assert.Equal([0xf0, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0], fixedBits);
    }
}

using System.Text;
using TokenFactory.Inference.Dialects;
using TokenFactory.Inference.Dialects.Events;
using TokenFactory.Inference.Dialects.Responses;
using TokenFactory.Inference.ReadModel;
using Xunit;

namespace TokenFactory.Inference.Tests.Dialects;

public sealed class HeldBytesTests
{
    private const int Megabyte = 1024 * 1024;

    [Fact]
    public void P10_Small_parts_take_nothing_and_large_ones_all_that_is_made_of_them()
    {
        var budget = new BodyBudget(100 * Megabyte);
        using var held = new HeldBytes(budget, 16 * Megabyte, forms: 7);

        held.Append(new byte[64 * 1024]);
        Assert.Equal(0, budget.ReservedBytes);

        held.Append(new byte[Megabyte]);
        Assert.InRange(budget.ReservedBytes, 7 * (Megabyte + (64 * 1024)), 10 * Megabyte);

        held.Clear();
        Assert.NotEqual(0, budget.ReservedBytes);
        Assert.True(held.GiveBack());
        Assert.Equal(0, budget.ReservedBytes);
    }

    [Fact]
    public void P10_What_finds_no_room_is_let_go()
    {
        var budget = new BodyBudget(10 * Megabyte);
        using var first = new HeldBytes(budget, 16 * Megabyte, forms: 7);
        using var second = new HeldBytes(budget, 16 * Megabyte, forms: 7);
        first.Append(new byte[Megabyte]);

        var refused = Assert.Throws<NoRoomForAnswerException>(() => second.Append(new byte[Megabyte]));

        Assert.Equal(GatewayError.NoRoomForAnswer, refused.Error);
        Assert.Equal(0, second.Count);
        Assert.Equal(7 * Megabyte, budget.ReservedBytes);
    }

    [Fact]
    public void P10_What_could_never_be_held_is_not_to_be_tried_again()
    {
        using var held = new HeldBytes(new BodyBudget(Megabyte), 16 * Megabyte, forms: 7);

        var refused = Assert.Throws<NoRoomForAnswerException>(() => held.Append(new byte[Megabyte]));

        Assert.True(refused.Error is { DoNotRetry: true, IsOwn: true, RetryAfter: null });
    }

    [Fact]
    public void P10_A_converter_that_keeps_what_many_small_events_say_takes_for_that_too()
    {
        var budget = new BodyBudget(100 * Megabyte);
        using (var converter = Corpus.Conversion("responses-to-openai").Answer(isEventStream: true, TimeProvider.System, budget))
        {
            var piece = Encoding.UTF8.GetBytes("data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"" + new string('x', 1000) + "\"}}]}\n\n");
            for (var number = 0; number < 1000; number++)
            {
                converter.Feed(piece);
            }

            Assert.InRange(budget.ReservedBytes, 4 * Megabyte, 16 * Megabyte);
        }

        Assert.Equal(0, budget.ReservedBytes);
    }

    [Fact]
    public void P10_What_one_large_event_took_is_free_once_it_has_gone_on()
    {
        var budget = new BodyBudget(100 * Megabyte);
        using var converter = Corpus.Conversion("openai-to-anthropic").Answer(isEventStream: true, TimeProvider.System, budget);
        converter.Feed(Encoding.UTF8.GetBytes("data: {\"type\":\"ping\",\"x\":\"" + new string('x', Megabyte) + "\"}\n\n"));
        Assert.NotEqual(0, budget.ReservedBytes);

        converter.Feed(Encoding.UTF8.GetBytes("data: {\"type\":\"ping\"}\n\n"));

        Assert.Equal(0, budget.ReservedBytes);
    }

    [Fact]
    public void More_than_the_bound_is_no_answer()
    {
        using var held = new HeldBytes(new BodyBudget(long.MaxValue), Megabyte, forms: 1);

        Assert.Throws<UnreadableAnswerException>(() => held.Append(new byte[Megabyte + 1]));
    }

    public static TheoryData<string> Holders => ["whole", "stream", "chained", "signed stream", "signed body"];

    [Theory]
    [MemberData(nameof(Holders))]
    public void P10_No_converter_holds_a_large_answer_outside_the_budget(string holder)
    {
        var spent = new BodyBudget(Megabyte);
        var roomy = new BodyBudget(100 * Megabyte);
        var event1 = Encoding.UTF8.GetBytes("data: {\"x\":\"" + new string('x', Megabyte));

        using (var without = Make(holder, spent))
        {
            Assert.Throws<NoRoomForAnswerException>(() => without.Feed(event1));
        }

        using (var with = Make(holder, roomy))
        {
            with.Feed(event1);
            Assert.NotEqual(0, roomy.ReservedBytes);
        }

        Assert.Equal((0, 0), (spent.ReservedBytes, roomy.ReservedBytes));
    }

    private static AnswerConverter Make(string holder, BodyBudget budget) => holder switch
    {
        "whole" => Corpus.Conversion("openai-to-anthropic").Answer(isEventStream: false, TimeProvider.System, budget),
        "stream" => Corpus.Conversion("anthropic-to-openai").Answer(isEventStream: true, TimeProvider.System, budget),
        "chained" => Conversion.Between(Dialect.Responses, Dialect.Anthropic)!.Answer(isEventStream: true, TimeProvider.System, budget),
        "signed stream" => new SignedStream(Ids(), budget),
        _ => new SignedBody(Ids(), budget),
    };

    private static ResponseIds Ids() => new(id => id, static _ => null);
}

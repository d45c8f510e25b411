using System.Text;
using TokenFactory.Inference.Dialects;
using TokenFactory.Inference.Dialects.Responses;
using Xunit;

namespace TokenFactory.Inference.Tests.Dialects.Responses;

/// <summary>In an answer of the client's own dialect the ids are replaced wherever they stand, and nothing else is.</summary>
public sealed class SignedStreamTests
{
    private const string Stream =
        "\uFEFFevent: response.created\r\ndata: {\"type\":\"response.created\",\"response\": {\"previous_response_id\" : \"resp_0\", \"id\" : \"resp_1\",\"output\":[{\"id\":\"resp_1\"}]},\"id\":\"resp_1\"}\r\n\r\n"
        + ": \"response\" in a comment\n\n"
        + "data: {\"type\":\"response.output_text.delta\",\"delta\":\"\\\"response\\\":{\\\"id\\\":\\\"resp_1\\\"}\"}\n\n"
        + "data: {\"type\":\"response.completed\",\"response\":{\"id\":\ndata: \"resp_1\",\"metadata\":{\"id\":\"resp_1\"}}}\n\n"
        + "data: \"response\" {not json\n\ndata: [DONE]\n\n";

    private static readonly string _expected = Stream
        .Replace("\"previous_response_id\" : \"resp_0\"", "\"previous_response_id\" : \"theirs\"", StringComparison.Ordinal)
        .Replace("\"id\" : \"resp_1\"", "\"id\" : \"signed resp_1\"", StringComparison.Ordinal)
        .Replace("\"id\":\ndata: \"resp_1\"", "\"id\":\ndata: \"signed resp_1\"", StringComparison.Ordinal);

    [Fact]
    public void Ids_are_replaced_and_every_other_byte_passes_however_the_stream_is_cut()
    {
        var stream = Encoding.UTF8.GetBytes(Stream);

        Assert.Equal(_expected, Converted(stream, []));
        Assert.Equal(_expected, Converted(stream, Enumerable.Range(1, stream.Length - 1)));
        for (var cut = 1; cut < stream.Length; cut++)
        {
            Assert.Equal(_expected, Converted(stream, [cut]));
        }
    }

    [Fact]
    public void A_stream_that_ends_inside_an_event_passes_what_there_is()
    {
        var half = Encoding.UTF8.GetBytes("data: {\"type\":\"response.created\",\"response\":{\"id\":\"resp_1\"");

        Assert.Equal(Encoding.UTF8.GetString(half), Converted(half, []));
    }

    [Theory]
    [InlineData("""{"object":"response","output":[{"id":"resp_1"}],"id":"resp_1","previous_response_id":null}""", """{"object":"response","output":[{"id":"resp_1"}],"id":"signed resp_1","previous_response_id":null}""")]
    [InlineData("""{"previous_response_id":"resp_0","id":"resp_1"}""", """{"previous_response_id":"theirs","id":"signed resp_1"}""")]
    [InlineData("""{"error":{"message":"x"}}""", """{"error":{"message":"x"}}""")]
    [InlineData("<html>", "<html>")]
    public void A_whole_answer_likewise(string body, string expected)
    {
        using var converter = new SignedBody(Ids("theirs"), new BodyBudget(long.MaxValue));
        foreach (var one in Encoding.UTF8.GetBytes(body))
        {
            Assert.True(converter.Feed([one]).IsEmpty);
        }

        Assert.Equal(expected, Encoding.UTF8.GetString(converter.Complete().Span));
    }

    [Fact]
    public void P9_a_client_that_began_anew_is_not_told_what_the_backend_says_it_went_on_from()
    {
        using var converter = new SignedBody(Ids(previous: null), new BodyBudget(long.MaxValue));
        converter.Feed("""{"id":"resp_1","previous_response_id":"resp_of_somebody"}"""u8);

        Assert.Equal("""{"id":"signed resp_1","previous_response_id":null}""", Encoding.UTF8.GetString(converter.Complete().Span));
    }

    [Theory]
    [InlineData("7")]
    [InlineData("\"\"")]
    [InlineData("{}")]
    [InlineData("\"\\ud83d\"")]
    [InlineData("\"a b\"")]
    [InlineData("\"é\"")]
    public void An_id_that_is_none_makes_no_answer(string id)
    {
        using var converter = new SignedBody(Ids(null), new BodyBudget(long.MaxValue));
        converter.Feed(Encoding.UTF8.GetBytes($"{{\"id\":{id}}}"));

        Assert.Throws<UnreadableAnswerException>(() => converter.Complete());
    }

    private static ResponseIds Ids(string? previous) => new(id => $"signed {id}", _ => previous);

    private static string Converted(ReadOnlySpan<byte> stream, IEnumerable<int> cuts)
    {
        using var converter = new SignedStream(Ids("theirs"), new BodyBudget(long.MaxValue));
        using var made = new MemoryStream();
        var from = 0;
        foreach (var cut in cuts.Append(stream.Length))
        {
            made.Write(converter.Feed(stream[from..cut]).Span);
            from = cut;
        }

        made.Write(converter.Complete().Span);
        return Encoding.UTF8.GetString(made.ToArray());
    }
}

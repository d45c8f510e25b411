using System.Text;
using FsCheck;
using FsCheck.Fluent;

namespace TokenFactory.Tokenizer.Tests;

public sealed class TokenEncodingTests
{
    public static TheoryData<string> Encodings => Some.Encodings;

    [Theory, MemberData(nameof(Encodings))]
    public void Every_reference_text_gets_exactly_the_reference_ids(string name)
    {
        var encoding = TokenEncoding.ForEncoding(name)!;
        Assert.NotEmpty(Vectors.All);
        Assert.All(Vectors.All, vector => Assert.Equal(vector.Ids(encoding), Some.Ids(encoding, vector.Text)));
    }

    [Theory, MemberData(nameof(Encodings))]
    public void The_tokens_of_any_bytes_put_together_are_those_bytes(string name)
    {
        var encoding = TokenEncoding.ForEncoding(name)!;
        Check.One(
            Config.QuickThrowOnFailure.WithMaxTest(2000),
            Prop.ForAll(Some.Bytes, bytes => Some.Decoded(encoding, Some.Ids(encoding, bytes)).SequenceEqual(bytes)));
    }

    [Theory, MemberData(nameof(Encodings))]
    public void A_count_is_how_many_ids_there_are_and_never_more_than_bytes(string name)
    {
        var encoding = TokenEncoding.ForEncoding(name)!;
        Check.One(
            Config.QuickThrowOnFailure.WithMaxTest(1000),
            Prop.ForAll(Some.Bytes, bytes => encoding.Count(bytes) == Some.Ids(encoding, bytes).Length && encoding.Count(bytes) <= bytes.Length));
    }

    [Theory, MemberData(nameof(Encodings))]
    public void Names_of_special_tokens_are_ordinary_text(string name)
    {
        var encoding = TokenEncoding.ForEncoding(name)!;
        var ids = Some.Ids(encoding, "<|endoftext|>"u8);
        Assert.True(ids.Length > 1);
        Assert.All(ids, id => Assert.InRange(id, 0, encoding.Vocabulary.Size - 1));
    }

    [Theory]
    [InlineData("80")]
    [InlineData("C3")]
    [InlineData("E282")]
    [InlineData("F09F98")]
    [InlineData("C0AF")]
    [InlineData("EDA080")]
    [InlineData("F4908080")]
    [InlineData("FFFEFF00")]
    [InlineData("61FF62")]
    [InlineData("20C320")]
    public void Bytes_that_are_not_text_are_encoded_as_they_are(string hex)
    {
        var bytes = Convert.FromHexString(hex);
        Assert.All(TokenEncoding.All, encoding => Assert.Equal(bytes, Some.Decoded(encoding, Some.Ids(encoding, bytes))));
    }

    [Theory, MemberData(nameof(Encodings))]
    public void Counting_allocates_nothing(string name)
    {
        var encoding = TokenEncoding.ForEncoding(name)!;
        var texts = Vectors.All.Select(vector => vector.Text).Append(Some.Run("ab", 40_000)).ToArray();
        Array.ForEach(texts, text => encoding.Count(text));

        var before = GC.GetAllocatedBytesForCurrentThread();
        foreach (var text in texts)
        {
            encoding.Count(text);
        }

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    [Fact]
    public void The_vocabulary_loads_when_the_first_text_comes_and_not_before()
    {
        var encoding = new TokenEncoding("cl100k_base", isO200k: false);
        Assert.False(encoding.IsLoaded);
        Assert.Equal(1, encoding.Count("hello"u8));
        Assert.True(encoding.IsLoaded);
    }

    [Fact]
    public async Task Threads_that_meet_at_the_first_use_all_get_the_reference_ids()
    {
        var encoding = new TokenEncoding("o200k_base", isO200k: true);
        using var together = new Barrier(8);
        var threads = Enumerable.Range(0, 8).Select(_ => Task.Factory.StartNew(
            () =>
            {
                together.SignalAndWait();
                Assert.All(Vectors.All, vector => Assert.Equal(vector.O200k, Some.Ids(encoding, vector.Text)));
            },
            CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default));
        await Task.WhenAll(threads).WaitAsync(TimeSpan.FromMinutes(2));
    }

    [Fact]
    public void An_unknown_encoding_is_null()
    {
        Assert.Null(TokenEncoding.ForEncoding("p50k_base"));
        Assert.Same(TokenEncoding.Cl100kBase, TokenEncoding.ForEncoding("cl100k_base"));
    }

    [Theory]
    [InlineData("gpt-4", "cl100k_base")]
    [InlineData("gpt-4-turbo-2024-04-09", "cl100k_base")]
    [InlineData("openai/gpt-3.5-turbo", "cl100k_base")]
    [InlineData("ft:gpt-3.5-turbo:acme::1", "cl100k_base")]
    [InlineData("text-embedding-3-small", "cl100k_base")]
    [InlineData("gpt-4o-mini", "o200k_base")]
    [InlineData("gpt-4.1", "o200k_base")]
    [InlineData("gpt-5", "o200k_base")]
    [InlineData("meta-llama/Llama-3.1-8B-Instruct", "o200k_base")]
    [InlineData("", "o200k_base")]
    public void A_model_is_counted_with_its_own_encoding_and_an_unknown_one_with_o200k_base(string model, string encoding)
    {
        Assert.Equal(encoding, TokenEncoding.ForModel(model).Name);
    }

    [Fact]
    public void A_chat_costs_three_tokens_a_message_one_a_name_and_three_for_the_reply()
    {
        Assert.Equal(3 + 3 + 1 + 3, ChatOverhead.Of(messages: 2, names: 1));
    }

    [Fact]
    public void Text_that_is_empty_has_no_tokens()
    {
        Assert.All(TokenEncoding.All, encoding => Assert.Equal(0, encoding.Count(Encoding.UTF8.GetBytes(""))));
    }
}

using System.Buffers.Text;
using System.Text;
using TokenFactory.Administration.Secrets;
using TokenFactory.Inference.ReadModel.Addresses;

namespace TokenFactory.Administration.Tests.Secrets;

/// <summary>P8: a sealed secret opens under its key, for whom it was sealed, as it was sealed, or not at all.</summary>
public sealed class SecretKeyringTests
{
    private const string Secret = "sk-the-secret-of-acme";

    private static readonly SecretKey _v1 = new("v1", [.. Enumerable.Repeat((byte)1, 32)]);
    private static readonly SecretKey _v2 = new("v2", [.. Enumerable.Repeat((byte)2, 32)]);
    private static readonly SecretBinding _acme = new("acme", "acme-llm", [Origin("https://llm.acme.example"), Origin("https://b.acme.example:8443")]);

    [Fact]
    public void What_was_sealed_opens_with_whom_it_was_sealed_for()
    {
        var keys = new SecretKeyring([_v1]);

        var (secret, binding, mistake) = keys.Open(Seal(keys, _acme));

        Assert.Null(mistake);
        Assert.Equal(Secret, Encoding.UTF8.GetString(secret!));
        Assert.Equal(("acme", "acme-llm"), (binding!.Tenant, binding.Provider));
        Assert.Equal(["https://b.acme.example:8443", "https://llm.acme.example:443"], binding.Origins.Select(one => one.ToString()).Order(StringComparer.Ordinal));
        Assert.Null(keys.Open(Seal(keys, _acme with { Tenant = null })).Binding!.Tenant);
    }

    [Fact]
    public void P8_nothing_of_the_secret_is_in_the_text_and_no_two_are_alike()
    {
        var keys = new SecretKeyring([_v1]);
        var (one, other) = (Seal(keys, _acme), Seal(keys, _acme));
        var bytes = Base64Url.DecodeFromChars(one.Split(':')[2]);

        Assert.DoesNotContain(Secret, Encoding.Latin1.GetString(bytes), StringComparison.Ordinal);

        // The binding is the same; the wrapped data key and the secret under it are not.
        var bound = 1 + _acme.ToBytes().Length;
        var again = Base64Url.DecodeFromChars(other.Split(':')[2]);
        Assert.Equal(bytes[..bound], again[..bound]);
        Assert.NotEqual(bytes[(bound + 12)..(bound + 60)], again[(bound + 12)..(bound + 60)]);
        Assert.NotEqual(bytes[(bound + 72)..], again[(bound + 72)..]);
    }

    [Fact]
    public void P8_one_changed_bit_anywhere_and_it_does_not_open()
    {
        var keys = new SecretKeyring([_v1]);
        var bytes = Base64Url.DecodeFromChars(Seal(keys, _acme).Split(':')[2]);
        for (var i = 0; i < bytes.Length; i++)
        {
            for (var bit = 0; bit < 8; bit++)
            {
                var changed = bytes.ToArray();
                changed[i] ^= (byte)(1 << bit);

                Assert.Null(keys.Open("sealed:v1:" + Base64Url.EncodeToString(changed)).Secret);
            }

            Assert.Null(keys.Open("sealed:v1:" + Base64Url.EncodeToString(bytes.AsSpan(0, i))).Secret);
        }

        Assert.Null(keys.Open("sealed:v1:" + Base64Url.EncodeToString([.. bytes, 0])).Secret);
    }

    [Fact]
    public void P8_one_changed_character_anywhere_and_it_does_not_open()
    {
        var keys = new SecretKeyring([_v1]);
        var text = Seal(keys, _acme);
        for (var i = 0; i < text.Length; i++)
        {
            foreach (var other in "AQgw_-9z=: ")
            {
                if (text[i] != other)
                {
                    var (secret, _, mistake) = keys.Open(text[..i] + other + text[(i + 1)..]);

                    Assert.Null(secret);
                    Assert.DoesNotContain(Secret, mistake, StringComparison.Ordinal);
                }
            }
        }
    }

    [Fact]
    public void P8_the_binding_cannot_be_swapped_for_another_ones()
    {
        var keys = new SecretKeyring([_v1]);
        var (mine, theirs) = (SealedText.Parse(Seal(keys, _acme))!, SealedText.Parse(Seal(keys, _acme with { Tenant = "rival" }))!);

        Assert.Null(keys.Open((mine with { BindingBytes = theirs.BindingBytes }).ToString()).Secret);
        Assert.Null(keys.Open((mine with { BindingBytes = theirs.BindingBytes, WrappedKey = theirs.WrappedKey }).ToString()).Secret);
        Assert.Null(keys.Open((mine with { WrappedKey = theirs.WrappedKey }).ToString()).Secret);
        Assert.Null(keys.Open((mine with { Sealed = theirs.Sealed }).ToString()).Secret);
        Assert.NotNull(keys.Open(mine.ToString()).Secret);
    }

    [Fact]
    public void P8_it_opens_under_its_own_key_alone()
    {
        var text = Seal(new SecretKeyring([_v1]), _acme);

        Assert.NotNull(new SecretKeyring([_v2, _v1]).Open(text).Secret);
        Assert.Contains("another version", new SecretKeyring([_v2]).Open(text).Mistake, StringComparison.Ordinal);
        Assert.Contains("does not open under key v1", new SecretKeyring([new SecretKey("v1", [.. Enumerable.Repeat((byte)3, 32)])]).Open(text).Mistake, StringComparison.Ordinal);
        Assert.Contains("there is none", SecretKeyring.None.Open(text).Mistake, StringComparison.Ordinal);

        // The same bytes under another version's name are not what was sealed.
        Assert.Null(new SecretKeyring([new SecretKey("v2", [.. Enumerable.Repeat((byte)1, 32)])]).Open(text.Replace("sealed:v1", "sealed:v2", StringComparison.Ordinal)).Secret);
    }

    [Fact]
    public void Rotated_the_first_key_seals_and_all_of_them_open_until_everything_is_rewrapped()
    {
        var before = new SecretKeyring([_v1]);
        var both = new SecretKeyring([_v2, _v1]);
        var after = new SecretKeyring([_v2]);
        var old = Seal(before, _acme);

        var (rewrapped, mistake) = both.Rewrap(old);

        Assert.Null(mistake);
        Assert.StartsWith("sealed:v2:", Seal(both, _acme), StringComparison.Ordinal);
        Assert.StartsWith("sealed:v2:", rewrapped, StringComparison.Ordinal);
        var (secret, binding, _) = after.Open(rewrapped!);
        Assert.Equal(Secret, Encoding.UTF8.GetString(secret!));
        Assert.Equal(("acme", "acme-llm"), (binding!.Tenant, binding.Provider));
        Assert.Null(after.Open(old).Secret);
        Assert.Null(both.Rewrap(rewrapped![..^2] + "AA").Text);
    }

    [Fact]
    public void A_whole_document_is_rewrapped_and_nothing_else_of_it_is_touched()
    {
        var both = new SecretKeyring([_v2, _v1]);
        var old = Seal(new SecretKeyring([_v1]), _acme);
        var document = $"# sealed: here\r\ncredential: {old}\n\ncredential: \"{old}\" # twice\n";

        var (rewrapped, count, mistakes) = both.RewrapAll(document);
        var texts = rewrapped!.Split(['\n', ' ', '"', '\r'], StringSplitOptions.RemoveEmptyEntries).Where(word => word.StartsWith("sealed:v", StringComparison.Ordinal)).ToArray();

        Assert.Equal((2, 2), (count, texts.Length));
        Assert.Empty(mistakes);
        Assert.All(texts, text => Assert.Equal(Secret, Encoding.UTF8.GetString(new SecretKeyring([_v2]).Open(text).Secret!)));
        Assert.Equal(document.Replace(old, "x", StringComparison.Ordinal), rewrapped.Replace(texts[0], "x", StringComparison.Ordinal).Replace(texts[1], "x", StringComparison.Ordinal));
    }

    [Fact]
    public void A_document_with_one_that_does_not_open_is_not_rewrapped_at_all()
    {
        var both = new SecretKeyring([_v2, _v1]);
        var old = Seal(new SecretKeyring([_v1]), _acme);

        var (rewrapped, _, mistakes) = both.RewrapAll($"a: {old}\nb: {old[..^4]}AAAA\n");

        Assert.Null(rewrapped);
        Assert.StartsWith("line 2: ", Assert.Single(mistakes), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("sealed:")]
    [InlineData("sealed:v1:")]
    [InlineData("sealed:v1:!!!")]
    [InlineData("sealed:v1:AQ==")]
    [InlineData("sealed:v1:AQAA:AQ")]
    [InlineData("env:NAME")]
    public void What_is_no_sealed_text_is_said_to_be_none(string text) =>
        Assert.Contains("no sealed text", new SecretKeyring([_v1]).Open(text).Mistake, StringComparison.Ordinal);

    [Fact]
    public void A_key_reads_from_base64_base64url_and_hex_and_from_nothing_shorter()
    {
        var key = SecretKey.Make();
        var bytes = Convert.FromBase64String(key);

        Assert.Equal(32, bytes.Length);
        Assert.Equal(bytes, SecretKey.BytesOf(key));
        Assert.Equal(bytes, SecretKey.BytesOf(Base64Url.EncodeToString(bytes)));
        Assert.Equal(bytes, SecretKey.BytesOf(Convert.ToHexString(bytes)));
        Assert.Null(SecretKey.BytesOf(Convert.ToBase64String(bytes.AsSpan(1))));
        Assert.Null(SecretKey.BytesOf("a-passphrase-of-thirty-two-chars"));
        Assert.Null(SecretKey.BytesOf(""));
        Assert.NotEqual(key, SecretKey.Make());
    }

    internal static string Seal(SecretKeyring keys, SecretBinding binding) => keys.Seal(binding, Encoding.UTF8.GetBytes(Secret));

    private static EndpointOrigin Origin(string url) => EndpointOrigin.Of(new Uri(url));
}

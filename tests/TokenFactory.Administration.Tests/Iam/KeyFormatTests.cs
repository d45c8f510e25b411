using System.Text;
using FsCheck;
using FsCheck.Fluent;
using TokenFactory.Administration.Iam;
using TokenFactory.Inference.Access;

namespace TokenFactory.Administration.Tests.Iam;

public sealed class KeyFormatTests
{
    [Fact]
    public void A_minted_key_has_the_form_scanners_look_for()
    {
        var minted = KeyMint.Mint(KeyMint.NewId());
        var key = minted.Key.Reveal();

        Assert.Matches("^tfk_[0-9A-Za-z]{8}_[0-9A-Za-z]{49}$", key);
        Assert.True(KeyFormat.TryReadId(Encoding.ASCII.GetBytes(key), out var id));
        Assert.Equal(minted.Id, id);
    }

    [Fact]
    public void The_checksum_is_the_CRC_32_of_what_stands_before_it()
    {
        // CRC-32 (IEEE) of "123456789" is cbf43926, the check value of the standard: 3421780262 = 3jZ7oq in base62.
        var checksum = new byte[KeyFormat.ChecksumLength];
        KeyFormat.WriteChecksum("123456789"u8, checksum);

        Assert.Equal(3421780262, checksum.Aggregate(0L, (sum, digit) => (sum * 62) + Base62.Digits.IndexOf((char)digit, StringComparison.Ordinal)));
    }

    [Fact]
    public void Any_single_typing_mistake_is_noticed()
    {
        var key = Encoding.ASCII.GetBytes(KeyMint.Mint("abcDEF12").Key.Reveal());
        for (var i = 0; i < key.Length; i++)
        {
            var typo = key.ToArray();
            typo[i] = typo[i] == (byte)'a' ? (byte)'b' : (byte)'a';
            Assert.False(KeyFormat.IsWellFormed(typo), $"a typing mistake at {i}");
        }
    }

    [Fact]
    public void No_bytes_make_it_throw() => Check.QuickThrowOnFailure(Prop.ForAll<byte[]>(bytes =>
    {
        _ = KeyFormat.IsWellFormed(bytes);
        return !KeyFormat.TryReadId([.. KeyFormat.Prefix, .. bytes], out _) || bytes.Length == KeyFormat.Length - 4;
    }));

    [Fact]
    public void Checking_allocates_nothing()
    {
        var key = Encoding.ASCII.GetBytes(KeyMint.Mint("abcDEF12").Key.Reveal());
        _ = KeyFormat.IsWellFormed(key);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++)
        {
            _ = KeyFormat.IsWellFormed(key);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void P8_a_minted_key_prints_no_secret()
    {
        var minted = KeyMint.Mint("abcDEF12");

        Assert.DoesNotContain("tfk_", minted.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("tfk_", KeyChange.Done(minted).ToString(), StringComparison.Ordinal);
    }
}

using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace TokenFactory.Inference.Dispatch.Replicas;

/// <summary>
/// Which replica a key belongs to: the one with the highest weight of key and replica (Thaler and Ravishankar, 1998), so that all who know the
/// replicas agree without talking, and a replica that goes takes only its own keys with it. None is given more than a factor of the mean load
/// (Mirrokni, Thorup and Zadimoghaddam, 2018): what is above it goes to the key's next replica.
/// </summary>
internal static class Rendezvous
{
    /// <summary>How much more than the mean a replica may have.</summary>
    public const double Factor = 1.25;

    /// <summary>Below so many at once an engine is not loaded, and a cache is worth more than evenness.</summary>
    public const int Floor = 4;

    /// <summary>A replica's own number, the same in every process.</summary>
    public static ulong NumberOf(string replica) => BinaryPrimitives.ReadUInt64BigEndian(SHA256.HashData(Encoding.UTF8.GetBytes(replica)));

    /// <returns>The place of the replica that gets it.</returns>
    /// <param name="numbers">Of the replicas that may have it.</param>
    /// <param name="loads">What each of them has now.</param>
    public static int Pick(ulong key, ReadOnlySpan<ulong> numbers, ReadOnlySpan<double> loads)
    {
        double total = 1;
        foreach (var load in loads)
        {
            total += load;
        }

        var most = Math.Max(Floor, Math.Ceiling(Factor * total / numbers.Length));
        var (best, least) = (-1, 0);
        ulong highest = 0;
        for (var index = 0; index < numbers.Length; index++)
        {
            least = loads[index] < loads[least] ? index : least;
            var weight = Mix(key ^ numbers[index]);
            if (loads[index] + 1 <= most && (best < 0 || weight > highest))
            {
                (best, highest) = (index, weight);
            }
        }

        // Not all can be above the mean; only loads that are no numbers end here.
        return best < 0 ? least : best;
    }

    /// <summary>The finaliser of SplitMix64 (Steele, Lea and Flood, 2014): each bit of the input changes half of the output's.</summary>
    private static ulong Mix(ulong number)
    {
        number = (number ^ (number >> 30)) * 0xbf58476d1ce4e5b9;
        number = (number ^ (number >> 27)) * 0x94d049bb133111eb;
        return number ^ (number >> 31);
    }
}

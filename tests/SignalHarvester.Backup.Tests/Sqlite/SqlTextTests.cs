using System.Text;
using SignalHarvester.Backup.Sqlite;
using Xunit;

namespace SignalHarvester.Backup.Tests.Sqlite;

/// <summary>Names are bytes to SQLite, and stand in files and messages so that the same bytes come of them again.</summary>
public class SqlTextTests
{
    [Theory]
    [InlineData("636166E9", @"caf\xE9")]
    [InlineData("636166C3A9", "café")]
    [InlineData("615C78", @"a\x")]
    [InlineData("615C784539", @"a\x5CxE9")]
    [InlineData("5C5C783543", @"\\x5Cx5C")]
    [InlineData("5CE9", @"\\xE9")]
    [InlineData("615C783431", @"a\x41")]
    [InlineData("EDA080", @"\xED\xA0\x80")]
    [InlineData("F09F9880F0", @"😀\xF0")]
    [InlineData("F09F98E9", @"\xF0\x9F\x98\xE9")]
    [InlineData("C0AF", @"\xC0\xAF")]
    [InlineData("22275D0A", "\"']\n")]
    public void A_name_is_shown_in_valid_text_and_is_found_by_it(string bytes, string shown)
    {
        var text = SqlText.Of(Convert.FromHexString(bytes));
        Assert.Equal(shown, SqlText.Shown(text));
        Assert.Equal(bytes, Convert.ToHexString(SqlText.Bytes(SqlText.Parse(shown))));
        Assert.Equal(shown, SqliteName.Parse(shown).ToString());
        Assert.Equal(shown, Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(shown)));
    }

    [Fact]
    public void No_two_names_are_shown_alike()
    {
        var random = new Random(1);
        byte[] alphabet = [.. "\\x5CEe9"u8, 0xC3, 0xA9, 0xE9, 0xED, 0xA0, 0x80, 0xF0, 0x9F, 0x98, 0xB3];
        Dictionary<string, string> names = [];
        for (var round = 0; round < 100_000; round++)
        {
            var name = random.GetItems(alphabet, random.Next(1, 9));
            var shown = SqlText.Shown(SqlText.Of(name));
            Assert.Equal(Convert.ToHexString(name), Convert.ToHexString(SqlText.Bytes(SqlText.Parse(shown))));
            Assert.True(names.TryAdd(shown, Convert.ToHexString(name)) || names[shown] == Convert.ToHexString(name), shown);
        }
    }

    [Theory]
    [InlineData("t", "T", true)]
    [InlineData("ä", "Ä", false)]
    [InlineData("k", "\u212A", false)]
    [InlineData(@"caf\xE9", @"CAF\xe9", true)]
    [InlineData(@"\xE9", @"\xC9", false)]
    public void Names_are_the_same_where_ASCII_letters_alone_differ_in_case(string one, string other, bool same)
    {
        Assert.Equal(same, SqliteName.Parse(one) == SqliteName.Parse(other));
        Assert.Equal(same ? 1 : 2, new HashSet<SqliteName> { SqliteName.Parse(one), SqliteName.Parse(other) }.Count);
    }

    [Theory]
    [InlineData("""
        "pr\xE9nom" = '\xE9' -- "\xE9"
        """, "\"pr¤nom\" = '\\xE9' -- \"\\xE9\"")]
    [InlineData(@"[\xE9] <> 'it''s \xE9' /* `\xE9` */ AND `\xE9` = ""a""""\xE9""", "[¤] <> 'it''s \\xE9' /* `\\xE9` */ AND `¤` = \"a\"\"¤\"")]
    public void In_a_condition_names_alone_are_read_as_they_are_shown(string sql, string read) =>
        Assert.Equal(read.Replace('¤', '\uDCE9'), SqlText.ParseNames(sql));
}

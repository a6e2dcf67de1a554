Describe 'Find-SHBackup' {
    BeforeAll { . "$PSScriptRoot/Workspace.ps1" }
    BeforeEach {
        Enter-Workspace
        $ids = 1..4 | ForEach-Object { New-AgedBackup ([timespan]::FromDays($_)) }
    }
    AfterEach { Exit-Workspace }

    It 'finds the newest backup that has a row' {
        (Find-SHBackup 'select 1 from signals where id = 7').Id | Should -Be $ids[0]
        (Get-SHBackup -Before ([datetime]::UtcNow.AddDays(-2.5)) | Find-SHBackup 'select 1 from signals' -Bisect).Id | Should -Be $ids[2]
    }

    It 'says so where none has it' {
        Find-SHBackup 'select 1 from signals where id < 0' -WarningVariable told -WarningAction SilentlyContinue | Should -BeNullOrEmpty
        "$told" | Should -Match '4 were asked'
    }

    It 'feeds a restore of the rows' {
        $found = Find-SHBackup 'select 1 from signals where id = :id' -Parameter @{ id = 7 } -Database app.db
        ($found | Restore-SHBackup -Table signals -Where 'id = 7' -Into ./app.db -Force).Table | Should -Be 'signals'
    }
}

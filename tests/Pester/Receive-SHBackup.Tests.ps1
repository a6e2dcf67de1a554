Describe 'Receive-SHBackup' {
    BeforeAll { . "$PSScriptRoot/Workspace.ps1" }
    BeforeEach {
        Enter-Workspace
        $full = New-SHBackup ./app.db -Upload -Provider Directory -Container ./offsite -CreateContainer
    }
    AfterEach { Exit-Workspace }

    It 'brings a backup into an empty directory' {
        $received = Get-SHBackup -Remote -Provider Directory -Container ./offsite | Receive-SHBackup -BackupDirectory ./fetched
        $received.Checksum | Should -Be $full.Checksum
        (Get-SHBackup -BackupDirectory ./fetched | Test-SHBackup).Verified | Should -BeTrue
    }

    It 'fetches nothing with -WhatIf' {
        Receive-SHBackup -Id $full.Id -Provider Directory -Container ./offsite -BackupDirectory ./fetched -WhatIf | Should -BeNullOrEmpty
        './fetched' | Should -Not -Exist
    }
}

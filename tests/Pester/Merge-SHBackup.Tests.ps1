Describe 'Merge-SHBackup' {
    BeforeAll { . "$PSScriptRoot/Workspace.ps1" }
    BeforeEach {
        Enter-Workspace
        $full = New-SHBackup ./app.db
        Edit-Database ./app.db
        $increment = New-SHBackup ./app.db -Type Incremental
    }
    AfterEach { Exit-Workspace }

    It 'makes a full backup of an incremental one, with the same database in it' {
        $merged = $increment | Merge-SHBackup
        $merged.Id | Should -Be $increment.Id
        $merged.Type | Should -Be 'Full'
        $merged.Checksum | Should -Be $increment.Checksum
        ($merged | Test-SHBackup).Verified | Should -BeTrue
    }

    It 'leaves what the backup was built on, which can then go' {
        $increment.Id | Merge-SHBackup | Out-Null
        ($full | Remove-SHBackup -Force).Id | Should -Be $full.Id
        (Get-SHBackup | Test-SHBackup).Verified | Should -BeTrue
    }

    It 'passes a full backup on' {
        ($full | Merge-SHBackup).BackupPath | Should -Be $full.BackupPath
    }

    It 'changes nothing with -WhatIf' {
        $increment | Merge-SHBackup -WhatIf | Should -BeNullOrEmpty
        (Get-SHBackup $increment.Id).Type | Should -Be 'Incremental'
    }
}
